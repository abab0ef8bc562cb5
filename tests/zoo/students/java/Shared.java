// Lines, the first is the name. The base of two servers with a defect each, see Clocked and Pooled.
import java.io.*;
import java.net.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import java.util.concurrent.*;

public class Shared {
    final Set<PrintStream> outs = ConcurrentHashMap.newKeySet();

    /** One who does not read is cut off by a watchman: no write takes longer than a second. */
    final ScheduledExecutorService watchman = Executors.newSingleThreadScheduledExecutor(r -> {
        Thread thread = new Thread(r);
        thread.setDaemon(true);
        return thread;
    });

    static class Out extends PrintStream {
        final Socket socket;

        Out(Socket socket) throws IOException {
            super(new BufferedOutputStream(socket.getOutputStream()), false, StandardCharsets.UTF_8);
            this.socket = socket;
        }
    }

    void broadcast(String line, PrintStream but) {
        for (PrintStream out : outs) {
            if (out == but) continue;
            Future<?> alarm = watchman.schedule(() -> cut(((Out) out).socket), 500, TimeUnit.MILLISECONDS);
            synchronized (out) {
                out.print(line + "\n");
                out.flush();
            }
            alarm.cancel(false);
        }
    }

    static void cut(Socket socket) {
        try { socket.close(); } catch (IOException e) { /* gone */ }
    }

    void said(String name, String line, PrintStream out) {
        broadcast(name + ": " + line, out);
    }

    void arrived(String name) {}

    String readLine(Reader in) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int c; (c = in.read()) != '\n'; ) {
            if (c < 0 || line.length() > 5000) return null;
            line.append(Character.isISOControl(c) || c == 0x2028 || c == 0x2029 ? ' ' : (char) c);
        }
        return line.toString().trim();
    }

    void serve(Socket socket) {
        Out out = null;
        String name = null;
        try (socket) {
            Reader in = new BufferedReader(new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
            name = readLine(in);
            if (name == null || !name.matches("[A-Za-z0-9]{1,20}")) return;
            out = new Out(socket);
            out.print("Welcome, " + name + "\n");
            out.flush();
            outs.add(out);
            arrived(name);
            for (String line; (line = readLine(in)) != null && !line.equals("quit"); ) if (!line.isEmpty()) said(name, line, out);
        } catch (IOException e) {
            // over
        } finally {
            if (out != null) outs.remove(out);
        }
    }

    void run(int port) throws Exception {
        ServerSocket server = new ServerSocket(port, 128, InetAddress.getLoopbackAddress());
        while (true) {
            try {
                Socket socket = server.accept();
                Thread thread = new Thread(() -> serve(socket));
                thread.setDaemon(true);
                thread.start();
            } catch (IOException e) {
                Thread.sleep(100);
            }
        }
    }

    public static void main(String[] args) throws Exception {
        new Shared().run(Integer.parseInt(args[0]));
    }
}
