/** Defect {@code admits}: who never gave a name is announced when it leaves: "null has left." */
public class NullLeaves extends Chat {
    @Override
    protected synchronized void leave(Client client) {
        super.leave(client);
        if (client.name == null) {
            tellAll(client.name + " has left.", client);
        }
    }

    public static void main(String[] arguments) throws Exception {
        new NullLeaves().run(Integer.parseInt(arguments[0]));
    }
}
