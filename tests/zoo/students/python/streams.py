"""Correct. asyncio streams, a question in Spanish, and whole reads as messages. Run: python streams.py 5000."""

import asyncio
import sys

gente = {}  # nombre -> writer


def limpio(datos):
    return "".join(c if c.isprintable() else " " for c in datos.decode("utf-8", "replace")).strip()


def enviar(writer, texto):
    if writer.transport.get_write_buffer_size() > 512 * 1024:  # no lee
        writer.transport.abort()
    elif not writer.is_closing():
        writer.write(texto.encode())


def a_todos(texto, menos):
    for nombre, writer in list(gente.items()):
        if nombre != menos:
            enviar(writer, texto)


async def pedir_nombre(reader, writer):
    enviar(writer, "¿Cómo te llamas? ")
    while datos := await reader.read(1024):
        nombre = limpio(datos)
        if nombre.isalnum() and len(nombre) <= 12 and nombre not in gente:
            return nombre
        enviar(writer, "Ese nombre no se puede usar. ¿Cómo te llamas? ")
    return None


async def atender(reader, writer):
    nombre = None
    try:
        nombre = await pedir_nombre(reader, writer)
        if nombre is None:
            return
        gente[nombre] = writer
        enviar(writer, f"Hola, {nombre}. Hay {len(gente)} en la sala.\n")
        a_todos(f"<< {nombre} se ha unido >>\n", nombre)
        while datos := await reader.read(1024):
            texto = limpio(datos)
            if texto == "/salir":
                break
            if texto.startswith("/p "):
                _, _, resto = texto.partition(" ")
                quien, _, palabras = resto.partition(" ")
                if quien in gente:
                    enviar(gente[quien], f"(privado) {nombre}: {palabras}\n")
                else:
                    enviar(writer, f"No hay nadie llamado {quien}.\n")
            elif texto == "/quien":
                enviar(writer, "Están: " + " ".join(gente) + "\n")
            elif texto:
                a_todos(f"{nombre}: {texto}\n", nombre)
    except OSError:
        pass
    finally:
        if nombre is not None and gente.get(nombre) is writer:
            del gente[nombre]
            a_todos(f"<< {nombre} se ha ido >>\n", nombre)
        writer.close()


async def main():
    servidor = await asyncio.start_server(atender, "127.0.0.1", int(sys.argv[1]), limit=4096)
    async with servidor:
        await servidor.serve_forever()


asyncio.run(main())
