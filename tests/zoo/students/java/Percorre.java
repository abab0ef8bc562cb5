// Trabalho 3. Uso: java Percorre 5000
// Defeito (delivers): quem não pode ser escrito sai da lista enquanto ela é percorrida; a exceção encerra a thread de quem falou.
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

public class Percorre {
    static final List<Socket> clientes = new ArrayList<>();

    static void todos(byte[] dados, Socket menos) {
        synchronized (clientes) {
            for (Socket c : clientes) {
                if (c == menos) continue;
                try {
                    c.getOutputStream().write(dados);
                } catch (IOException e) {
                    clientes.remove(c);
                }
            }
        }
    }

    static void atende(Socket socket) {
        synchronized (clientes) {
            clientes.add(socket);
        }
        try {
            InputStream entrada = socket.getInputStream();
            byte[] buffer = new byte[1024];
            int n;
            while ((n = entrada.read(buffer)) > 0) todos(Arrays.copyOf(buffer, n), socket);
            socket.close();
        } catch (IOException e) {
            try {
                socket.close();
            } catch (IOException outra) {
                // já estava fechado
            }
        }
    }

    public static void main(String[] args) throws Exception {
        ServerSocket servidor = new ServerSocket(Integer.parseInt(args[0]), 128, InetAddress.getByName("127.0.0.1"));
        while (true) {
            try {
                Socket socket = servidor.accept();
                new Thread(() -> atende(socket)).start();
            } catch (IOException e) {
                Thread.sleep(100);
            }
        }
    }
}
