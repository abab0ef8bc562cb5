"""Defect (intact): the frames of a client are passed on as they come, read by read, sizes and all: a size that is a
lie puts every reader out of step."""

from length import Chat, main


class Relays(Chat):
    async def serve(self, reader, writer):
        self.people[writer] = ""
        try:
            while data := await reader.read(65536):
                for other in list(self.people):
                    if other is not writer:
                        other.write(data)
                        if other.transport.get_write_buffer_size() > 4 << 20:
                            other.transport.abort()
        except OSError:
            pass
        finally:
            del self.people[writer]
            writer.close()


main(Relays())
