// Correct. The protocol of keywords that many courses use: SUBMITNAME, NAMEACCEPTED, MESSAGE. Lines. Run: java NamedChat 5000
import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;

public class NamedChat {
    static final Map<String, Handler> handlers = new ConcurrentHashMap<>();

    public static void main(String[] args) throws Exception {
        ServerSocket listener = new ServerSocket(Integer.parseInt(args[0]), 128, InetAddress.getLoopbackAddress());
        System.out.println("The chat server is running...");
        while (true) {
            try {
                new Handler(listener.accept()).start();
            } catch (IOException e) {
                Thread.sleep(100);
            }
        }
    }

    static void broadcast(String line, Handler but) {
        for (Handler handler : handlers.values()) if (handler != but) handler.send(line);
    }

    static class Handler extends Thread {
        private final Socket socket;
        private final BlockingQueue<String> outbox = new LinkedBlockingQueue<>(1000);
        private String name;

        Handler(Socket socket) {
            this.socket = socket;
            setDaemon(true);
        }

        void send(String line) {
            if (!outbox.offer(line)) closeQuietly();
        }

        private void closeQuietly() {
            try { socket.close(); } catch (IOException e) { /* gone already */ }
        }

        /** A line of at most 8000 characters, null at the end. */
        private String readLine(Reader in) throws IOException {
            StringBuilder line = new StringBuilder();
            int c;
            while ((c = in.read()) != '\n') {
                if (c < 0) return null;
                if (line.length() > 8000) throw new IOException("too long");
                line.append(Character.isISOControl(c) || c == 0x2028 || c == 0x2029 ? ' ' : (char) c);
            }
            return line.toString().trim();
        }

        private void write(Thread reader) {
            try {
                Writer out = new OutputStreamWriter(socket.getOutputStream(), StandardCharsets.UTF_8);
                while (true) {
                    String line = outbox.take();
                    if (line.isEmpty()) break;
                    out.write(line + "\n");
                    if (outbox.isEmpty()) out.flush();
                }
                out.flush();
                socket.shutdownOutput();
            } catch (IOException | InterruptedException e) {
                closeQuietly();
            }
        }

        public void run() {
            Thread writer = new Thread(() -> write(this));
            writer.setDaemon(true);
            writer.start();
            try {
                Reader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
                while (true) {
                    send("SUBMITNAME");
                    String wanted = readLine(in);
                    if (wanted == null) return;
                    if (wanted.matches("[A-Za-z0-9]{1,20}") && handlers.putIfAbsent(wanted, this) == null) {
                        name = wanted;
                        break;
                    }
                }
                send("NAMEACCEPTED " + name);
                broadcast("MESSAGE " + name + " has joined", this);
                String input;
                while ((input = readLine(in)) != null && !input.equalsIgnoreCase("/quit"))
                    if (!input.isEmpty()) broadcast("MESSAGE " + name + ": " + input, null);
            } catch (IOException e) {
                // the connection is over
            } finally {
                if (name != null) {
                    handlers.remove(name);
                    broadcast("MESSAGE " + name + " has left", this);
                }
                try {
                    outbox.clear();
                    outbox.offer("");
                    writer.join(500);
                    writer.interrupt();
                } catch (InterruptedException e) { /* closing anyway */ }
                closeQuietly();
            }
        }
    }
}
