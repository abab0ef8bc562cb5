import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;

/**
 * A correct chat with two threads a client: one reads its lines, one writes to it what the room says.
 *
 * <p>It asks {@code What is your name?}, welcomes, relays {@code ana: text}, and knows /list, /msg NAME TEXT and /quit.
 * Whoever speaks only queues for the others; a client whose queue is full is dropped. The defects are subclasses.
 *
 * <p>{@code java Chat PORT}
 */
public class Chat {
    /** A line that grows longer than this ends the connection. */
    static final int LONGEST_LINE = 64 * 1024;
    /** What may wait for one client that does not read, in bytes. */
    static final int OUTBOX_LIMIT = 4 * 1024 * 1024;
    static final int BACKLOG = 1024;
    /** How long a client that leaves may take to close its side. */
    static final int FAREWELL_MS = 1000;
    /** After a failed accept: out of descriptors, most likely. It passes. */
    static final int ACCEPT_PAUSE_MS = 100;

    /** C0 and C1 controls and Unicode's line breaks: they let a text pose as another line. */
    private static final Pattern UNSHOWABLE = Pattern.compile("[\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]");
    private static final Pattern NAME = Pattern.compile("[\\p{L}\\p{N}_-]{1,20}");

    /** The members by their name in lower case, in the order of joining. Guarded by this. */
    private final Map<String, Client> members = new LinkedHashMap<>();

    /** One connection. */
    protected class Client {
        final Socket socket;
        String name;
        private final ArrayDeque<byte[]> outbox = new ArrayDeque<>();
        private int waiting;
        private boolean closing;
        private final Thread writer = new Thread(this::write, "writer");
        private final byte[] chunk = new byte[8192];
        private int chunkAt;
        private int chunkEnd;

        Client(Socket socket) {
            this.socket = socket;
        }

        /** Queues text; never waits. A client that lets too much wait is reset. */
        void send(String text) {
            byte[] data = text.getBytes(StandardCharsets.UTF_8);
            synchronized (outbox) {
                if (closing) {
                    return;
                }
                if (waiting + data.length > OUTBOX_LIMIT) {
                    reset();
                    return;
                }
                outbox.add(data);
                waiting += data.length;
                outbox.notify();
            }
        }

        /** Ends the connection at once; both threads wake up from reading and writing. */
        void reset() {
            try {
                socket.setSoLinger(true, 0);
                socket.close();
            } catch (IOException gone) {
                // nothing is left to close
            }
        }

        /** Says what is queued, then FIN, then awaits the client's FIN: closing unread bytes would be a reset. */
        void part() {
            synchronized (outbox) {
                closing = true;
                outbox.notify();
            }
            try {
                writer.join(FAREWELL_MS);
                drain();
                socket.close();
            } catch (IOException | InterruptedException late) {
                reset();
            }
        }

        private void drain() throws IOException {
            long deadline = System.currentTimeMillis() + FAREWELL_MS;
            for (long left = FAREWELL_MS; left > 0; left = deadline - System.currentTimeMillis()) {
                socket.setSoTimeout((int) left);
                if (socket.getInputStream().read(chunk) < 0) {
                    return;
                }
            }
        }

        private void write() {
            try {
                for (byte[] data = next(); data != null; data = next()) {
                    socket.getOutputStream().write(data);
                    synchronized (outbox) {
                        waiting -= data.length;
                    }
                }
                socket.shutdownOutput();
            } catch (IOException | InterruptedException gone) {
                // the reader sees it too, and cleans up
            }
        }

        private byte[] next() throws InterruptedException {
            synchronized (outbox) {
                while (outbox.isEmpty() && !closing) {
                    outbox.wait();
                }
                return outbox.poll();
            }
        }

        /** The next line without its newline, or null at the end. A line that is too long is an end, too. */
        String readLine() throws IOException {
            byte[] line = new byte[256];
            int length = 0;
            for (int b = readByte(); b >= 0; b = readByte()) {
                if (b == '\n') {
                    return readable(new String(line, 0, length, StandardCharsets.UTF_8)); // bad UTF-8 becomes U+FFFD
                }
                if (length == longestLine()) {
                    send("That line is too long.\n");
                    return null;
                }
                if (length == line.length) {
                    line = Arrays.copyOf(line, 2 * length);
                }
                line[length++] = (byte) b;
            }
            return null;
        }

        private int readByte() throws IOException {
            if (chunkAt == chunkEnd) {
                InputStream in = socket.getInputStream();
                chunkEnd = in.read(chunk);
                chunkAt = 0;
            }
            return chunkEnd < 0 ? -1 : chunk[chunkAt++] & 0xff;
        }
    }

    // --- the door

    void run(int port) throws IOException, InterruptedException {
        ServerSocket listener = new ServerSocket();
        listener.setOption(StandardSocketOptions.SO_REUSEADDR, true);
        listener.bind(new java.net.InetSocketAddress(InetAddress.getLoopbackAddress(), port), BACKLOG);
        new Thread(() -> warmUp(port), "warm-up").start();
        while (true) { // SIGTERM and SIGINT end the virtual machine, and the kernel closes everything
            Socket socket;
            try {
                socket = listener.accept();
            } catch (IOException exhausted) {
                Thread.sleep(ACCEPT_PAUSE_MS);
                continue;
            }
            admit(socket);
        }
    }

    /**
     * A first client of our own, which never logs in. Loading a class needs a file descriptor, and there may be none
     * when the first real client comes or goes; so every class is used once now.
     */
    private void warmUp(int port) {
        try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
            socket.getOutputStream().write("no name\n/quit\n".getBytes(StandardCharsets.UTF_8));
            socket.getInputStream().readAllBytes();
        } catch (IOException busy) {
            // then a real client has warmed it up
        }
    }

    private void admit(Socket socket) {
        Client client = new Client(socket);
        try {
            socket.setTcpNoDelay(true);
            client.writer.start();
            new Thread(() -> serve(client), "reader").start();
        } catch (IOException | OutOfMemoryError noThread) { // "unable to create native thread"
            client.reset();
            client.part();
        }
    }

    /** One client's whole life. */
    private void serve(Client client) {
        try {
            if (logIn(client)) {
                converse(client);
            }
        } catch (IOException reset) {
            // it left without a farewell
        } finally {
            leave(client);
            farewell(client);
        }
    }

    // --- coming and going

    private boolean logIn(Client client) throws IOException {
        client.send("What is your name?\n");
        for (String name = client.readLine(); name != null; name = client.readLine()) {
            if (name.equals("/quit")) {
                return false;
            }
            if (!NAME.matcher(name).matches()) {
                client.send("A name has letters and digits, at most 20. What is your name?\n");
            } else if (!join(client, name)) {
                client.send("That name is taken. What is your name?\n");
            } else {
                return true;
            }
        }
        return false;
    }

    private static String key(String name) {
        return name.toLowerCase(Locale.ROOT);
    }

    private synchronized boolean join(Client client, String name) {
        if (members.containsKey(key(name))) {
            return false;
        }
        client.name = name;
        tellAll(name + " has joined.", client);
        members.put(key(name), client);
        client.send("Welcome, " + name + "! Commands: /list, /msg NAME TEXT, /quit\n");
        return true;
    }

    /** Forgets the client; tells the others, if they knew it. */
    protected synchronized void leave(Client client) {
        if (client.name != null) {
            members.remove(key(client.name));
            tellAll(client.name + " has left.", client);
        }
    }

    /** Ends the connection of one that has left. */
    protected void farewell(Client client) {
        client.part();
    }

    // --- talking

    private void converse(Client client) throws IOException {
        for (String line = client.readLine(); line != null; line = client.readLine()) {
            if (line.equals("/quit")) {
                client.send("Bye.\n");
                return;
            }
            if (line.equals("/list")) {
                list(client);
            } else if (line.startsWith("/msg ")) {
                whisper(client, line.split(" +", 3));
            } else if (line.startsWith("/")) {
                client.send("Commands: /list, /msg NAME TEXT, /quit\n");
            } else if (!line.isEmpty()) {
                say(client, line);
            }
        }
    }

    private synchronized void list(Client client) {
        StringBuilder names = new StringBuilder("Here:");
        for (Client member : members.values()) {
            names.append(' ').append(member.name);
        }
        client.send(names.append('\n').toString());
    }

    private synchronized void whisper(Client client, String[] words) {
        Client target = words.length == 3 ? members.get(key(words[1])) : null;
        if (target == null) {
            client.send(words.length == 3 ? "Nobody here has that name.\n" : "Usage: /msg NAME TEXT\n");
        } else {
            target.send(client.name + " (to you alone): " + words[2] + "\n");
        }
    }

    private synchronized void say(Client client, String text) {
        tellAll(client.name + ": " + text, client);
    }

    /** Queues a line for all members but one. */
    protected synchronized void tellAll(String line, Client besides) {
        for (Client member : members.values()) {
            if (member != besides) {
                member.send(line + "\n");
            }
        }
    }

    private static String readable(String line) {
        return UNSHOWABLE.matcher(line).replaceAll(" ").strip();
    }

    /** The longest line in bytes. */
    protected int longestLine() {
        return LONGEST_LINE;
    }

    public static void main(String[] arguments) throws Exception {
        new Chat().run(Integer.parseInt(arguments[0]));
    }
}
