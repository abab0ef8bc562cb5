/** Defect {@code closes}: "so that the port is free at once" the linger time is 0, and each /quit ends in a reset. */
public class RudeFarewell extends Chat {
    @Override
    protected void farewell(Client client) {
        try {
            Thread.sleep(50); // so that the last words get out before the reset
            client.socket.setSoLinger(true, 0);
            client.socket.close();
        } catch (java.io.IOException | InterruptedException gone) {
            // then there is nothing left to close
        }
        client.part();
    }

    public static void main(String[] arguments) throws Exception {
        new RudeFarewell().run(Integer.parseInt(arguments[0]));
    }
}
