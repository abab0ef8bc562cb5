// Defect (threads): a Timer for each client, to greet it every hour; nobody cancels it.
import java.util.*;

public class Clocked extends Shared {
    @Override
    void arrived(String name) {
        new Timer(true).schedule(new TimerTask() {
            public void run() {
                broadcast("Still here, " + name + "?", null);
            }
        }, 3_600_000, 3_600_000);
    }

    public static void main(String[] args) throws Exception {
        new Clocked().run(Integer.parseInt(args[0]));
    }
}
