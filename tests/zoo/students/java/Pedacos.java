// Correto. Cada leitura é uma mensagem; uma fila e uma thread de escrita por cliente. Uso: java Pedacos 5000
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentHashMap;

public class Pedacos {
    static final Set<Cliente> clientes = ConcurrentHashMap.newKeySet();

    static class Cliente implements Runnable {
        final Socket socket;
        final BlockingQueue<byte[]> fila = new ArrayBlockingQueue<>(300);

        Cliente(Socket socket) {
            this.socket = socket;
        }

        void envia(String texto) {
            if (!fila.offer(texto.getBytes(StandardCharsets.UTF_8))) fecha(); // não está lendo
        }

        void fecha() {
            try {
                socket.close();
            } catch (IOException e) {
                // já estava fechado
            }
        }

        void escreve() {
            try {
                while (true) {
                    byte[] dados = fila.take();
                    if (dados.length == 0) break;
                    socket.getOutputStream().write(dados);
                }
            } catch (IOException | InterruptedException e) {
                // a leitura percebe
            }
            fecha();
        }

        String le(byte[] buffer, InputStream entrada) throws IOException {
            int n = entrada.read(buffer);
            return n < 0 ? null : limpa(new String(buffer, 0, n, StandardCharsets.UTF_8));
        }

        public void run() {
            String apelido = null;
            Thread escritor = new Thread(this::escreve);
            escritor.start();
            try {
                byte[] buffer = new byte[2048];
                InputStream entrada = socket.getInputStream();
                envia("Apelido: ");
                String nome = le(buffer, entrada);
                if (nome == null || !nome.matches("[A-Za-z0-9]{1,20}")) return;
                apelido = nome;
                envia("Bem-vindo, " + apelido + "!");
                clientes.add(this);
                todos(apelido + " entrou", this);
                String texto;
                while ((texto = le(buffer, entrada)) != null && !texto.equals("/sair"))
                    if (!texto.isEmpty()) todos(apelido + " diz: " + texto, this);
            } catch (IOException e) {
                // caiu
            } finally {
                clientes.remove(this);
                if (!fila.offer(new byte[0])) fecha();
                escritor.interrupt();
                fecha();
                if (apelido != null) todos(apelido + " saiu", this);
            }
        }
    }

    static String limpa(String texto) {
        return texto.replaceAll("[\\p{Cntrl}\\x{80}-\\x{9f}\\x{2028}\\x{2029}]", " ").trim();
    }

    static void todos(String texto, Cliente menos) {
        for (Cliente c : clientes) if (c != menos) c.envia(texto);
    }

    public static void main(String[] args) throws Exception {
        ServerSocket servidor = new ServerSocket(Integer.parseInt(args[0]), 128, InetAddress.getByName("127.0.0.1"));
        while (true) {
            try {
                new Thread(new Cliente(servidor.accept())).start();
            } catch (IOException e) {
                Thread.sleep(100);
            }
        }
    }
}
