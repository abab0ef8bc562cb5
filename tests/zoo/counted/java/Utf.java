import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.UTFDataFormatException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Map;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;

/** Correct. DataInputStream.readUTF and DataOutputStream.writeUTF; two threads a client, a bounded queue between them. */
public class Utf {
    static final String BYE = new String("bye");
    final Map<BlockingQueue<String>, Socket> people = new ConcurrentHashMap<>();

    static String clean(String text) {
        return text.replaceAll("[\\p{Cntrl}\\u2028\\u2029\\u0080-\\u009f]", " ").trim();
    }

    void everybody(String text, BlockingQueue<String> but) {
        people.forEach((queue, socket) -> {
            if (queue != but && !queue.offer(text)) {
                shut(socket);
            }
        });
    }

    static void shut(Socket socket) {
        try {
            socket.close();
        } catch (IOException e) {
            // it is closed
        }
    }

    static void write(Socket socket, BlockingQueue<String> queue) {
        try {
            DataOutputStream out = new DataOutputStream(socket.getOutputStream());
            for (String text = queue.take(); text != BYE; text = queue.take()) {
                try {
                    out.writeUTF(text);
                } catch (UTFDataFormatException e) {
                    // longer than writeUTF can say: it is left out
                }
                out.flush();
            }
        } catch (IOException | InterruptedException e) {
            // the reader sees it too
        }
        shut(socket);
    }

    /** What a client says, until it ends. */
    void listen(DataInputStream in, String name, BlockingQueue<String> queue) throws IOException {
        for (String text = clean(in.readUTF()); !text.equals("exit"); text = clean(in.readUTF())) {
            if (!text.isEmpty()) {
                everybody(name + ": " + text, queue);
            }
        }
    }

    void serve(Socket socket) {
        BlockingQueue<String> queue = new ArrayBlockingQueue<>(1000);
        Thread writer = new Thread(() -> write(socket, queue));
        writer.start();
        String name = null;
        try {
            DataInputStream in = new DataInputStream(socket.getInputStream());
            queue.offer("Enter your name:");
            String wanted = clean(in.readUTF());
            if (wanted.matches("[A-Za-z0-9]{1,20}")) {
                name = wanted;
                queue.offer("Hello " + name);
                people.put(queue, socket);
                everybody(name + " joined the chat", queue);
                listen(in, name, queue);
            }
        } catch (IOException e) {
            // it has gone, or what it sent is no modified UTF-8
        }
        people.remove(queue);
        if (!queue.offer(BYE)) {
            shut(socket);
            writer.interrupt();
        }
        if (name != null) {
            everybody(name + " left the chat", queue);
        }
    }

    void run(int port) throws IOException {
        try (ServerSocket door = new ServerSocket(port, 128, InetAddress.getLoopbackAddress())) {
            while (true) {
                try {
                    Socket socket = door.accept();
                    new Thread(() -> serve(socket)).start();
                } catch (IOException e) {
                    try {
                        Thread.sleep(50);
                    } catch (InterruptedException stop) {
                        return;
                    }
                }
            }
        }
    }

    public static void main(String[] arguments) throws IOException {
        new Utf().run(Integer.parseInt(arguments[0]));
    }
}
