/** Defect {@code memory}: a line may be as long as it likes, as with {@code BufferedReader.readLine}. */
public class EndlessLine extends Chat {
    @Override
    protected int longestLine() {
        return Integer.MAX_VALUE;
    }

    public static void main(String[] arguments) throws Exception {
        new EndlessLine().run(Integer.parseInt(arguments[0]));
    }
}
