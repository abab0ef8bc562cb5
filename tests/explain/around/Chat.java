package around;

import java.io.*;
import java.net.*;
import java.util.*;
import java.util.concurrent.*;
import java.util.logging.*;

/** What the Java snippets of the pages take for granted. */
public abstract class Chat {
    protected static final int MAX_LINE = 65536;
    protected static final Logger log = Logger.getLogger("chat");
    protected final Set<Client> clients = ConcurrentHashMap.newKeySet();
    protected final Map<String, Client> names = new ConcurrentHashMap<>();
    protected final ExecutorService pool = Executors.newCachedThreadPool();
    protected final BlockingQueue<String> queue = new ArrayBlockingQueue<>(256);
    protected final ArrayDeque<Message> kept = new ArrayDeque<>();
    protected ServerSocket server;

    public record Message(long number, String text) { }

    public static class UsageException extends RuntimeException { }

    protected abstract void serve(Socket socket);

    public abstract class Client extends Chat {
        public final Socket socket = new Socket();
        public Client client;
        public Client current;
        public String line;
        public String name;
        public BufferedReader in;
        public OutputStream out;
        public BlockingQueue<String> outbox;
        abstract void tell(String line);
        abstract void send(String line) throws IOException;
        abstract void chat() throws IOException;
        abstract void leave();
        abstract void broadcast(String line);
        abstract void broadcast(String line, Client sender);
        abstract void handle(String line);
        abstract String runCommand(String line);
        abstract void readLoop() throws IOException;
        abstract void writeLoop();
    }
}
