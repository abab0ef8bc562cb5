// Defect (ordered): each message is sent by whichever thread of the pool is free.
import java.io.PrintStream;
import java.util.concurrent.*;

public class Pooled extends Shared {
    final ExecutorService pool = Executors.newFixedThreadPool(8, r -> {
        Thread thread = new Thread(r);
        thread.setDaemon(true);
        return thread;
    });

    @Override
    void said(String name, String line, PrintStream out) {
        pool.submit(() -> broadcast(name + ": " + line, out));
    }

    public static void main(String[] args) throws Exception {
        new Pooled().run(Integer.parseInt(args[0]));
    }
}
