import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.util.concurrent.BlockingQueue;

/** Defect (threads): a connection that ends inside a message is taken for a slow one: its thread waits for the rest. */
public class UtfStays extends Utf {
    static int some(DataInputStream in, byte[] body, int from, int most) {
        try {
            return in.read(body, from, most);
        } catch (IOException e) {
            return -1;
        }
    }

    @Override
    void listen(DataInputStream in, String name, BlockingQueue<String> queue) throws IOException {
        while (true) {
            int size = in.readUnsignedShort();
            byte[] body = new byte[size];
            int got = 0;
            while (got < size) {
                int n = some(in, body, got, size - got);
                if (n < 0) {
                    try {
                        Thread.sleep(200);
                    } catch (InterruptedException e) {
                        throw new EOFException();
                    }
                } else {
                    got += n;
                }
            }
            String text = clean(new String(body, "UTF-8"));
            if (text.equals("exit")) {
                return;
            }
            if (!text.isEmpty()) {
                everybody(name + ": " + text, queue);
            }
        }
    }

    public static void main(String[] arguments) throws IOException {
        new UtfStays().run(Integer.parseInt(arguments[0]));
    }
}
