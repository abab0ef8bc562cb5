//! A correct chat with two threads a client: one reads its lines, one writes to it what the others say.
//!
//! It says nothing to newcomers and relays each line as it is to all the others. Whoever speaks only queues for the
//! others; a client whose queue is full is dropped.
//!
//!     chat PORT
//!
//! With `--cfg defect_serves` a line is decoded, and the decoding trusted, while the room's mutex is held: one line that
//! is not UTF-8 panics, the mutex is poisoned, and every other thread panics when it wants the room next.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::os::fd::AsRawFd;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};
use std::{env, process, thread};

/// Bytes; a longer line ends the connection.
const LONGEST_LINE: usize = 64 * 1024;
/// Bytes that may wait for one that does not read.
const OUTBOX_LIMIT: usize = 4 * 1024 * 1024;
const BACKLOG: i32 = 1024;
/// For one that leaves, to close its side.
const FAREWELL: Duration = Duration::from_secs(1);
/// After a failed accept: out of descriptors, most likely. It passes.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// One connection, and what waits to be written to it.
struct Client {
    stream: TcpStream,
    outbox: Mutex<Outbox>,
    changed: Condvar,
}

#[derive(Default)]
struct Outbox {
    lines: VecDeque<Arc<[u8]>>,
    waiting: usize,
    closing: bool,
    written: bool, // the writer has ended
}

impl Client {
    fn new(stream: TcpStream) -> Arc<Client> {
        Arc::new(Client { stream, outbox: Mutex::default(), changed: Condvar::new() })
    }

    /// Queues a line; never waits. A client that lets too much wait is dropped: both threads wake up.
    fn send(&self, line: Arc<[u8]>) {
        let mut outbox = self.outbox.lock().unwrap();
        if outbox.closing {
            return;
        }
        if outbox.waiting + line.len() > OUTBOX_LIMIT {
            outbox.closing = true;
            let _ = self.stream.shutdown(Shutdown::Both);
            return;
        }
        outbox.waiting += line.len();
        outbox.lines.push_back(line);
        self.changed.notify_all();
    }

    /// Lets the writer finish, within bounds.
    fn close(&self) {
        let mut outbox = self.outbox.lock().unwrap();
        outbox.closing = true;
        self.changed.notify_all();
        let _ = self.changed.wait_timeout_while(outbox, FAREWELL, |outbox| !outbox.written);
    }

    fn next(&self) -> Option<Arc<[u8]>> {
        let mut outbox = self.outbox.lock().unwrap();
        while outbox.lines.is_empty() && !outbox.closing {
            outbox = self.changed.wait(outbox).unwrap();
        }
        outbox.lines.pop_front()
    }

    /// Writes what is queued; ends with FIN. An error is the reader's business.
    fn write(&self) {
        while let Some(line) = self.next() {
            if (&self.stream).write_all(&line).is_err() {
                break;
            }
            self.outbox.lock().unwrap().waiting -= line.len();
        }
        let _ = self.stream.shutdown(Shutdown::Write);
        self.outbox.lock().unwrap().written = true;
        self.changed.notify_all();
    }

    /// Awaits the client's FIN, so that no unread byte turns the farewell into a reset.
    fn drain(&self) {
        let deadline = Instant::now() + FAREWELL;
        let mut chunk = [0; 8192];
        while let Some(left) = deadline.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) {
            let _ = self.stream.set_read_timeout(Some(left));
            if !matches!((&self.stream).read(&mut chunk), Ok(n) if n > 0) {
                return;
            }
        }
    }
}

/// Everybody who is connected, in the order of coming.
#[derive(Default)]
struct Room {
    clients: Mutex<Vec<Arc<Client>>>,
}

impl Room {
    /// One client's whole life.
    fn serve(&self, client: Arc<Client>) {
        self.clients.lock().unwrap().push(client.clone());
        let writing = client.clone();
        small_thread(move || writing.write());
        self.listen(&client);
        self.clients.lock().unwrap().retain(|other| !Arc::ptr_eq(other, &client));
        client.close();
        client.drain();
        let _ = client.stream.shutdown(Shutdown::Both); // wakes a writer that still waits
    }

    /// Hears lines until the stream ends or breaks, or a line is too long.
    fn listen(&self, client: &Arc<Client>) {
        let mut pending: Vec<u8> = Vec::new();
        let mut chunk = vec![0; 16 * 1024];
        while let Ok(n) = (&client.stream).read(&mut chunk) {
            if n == 0 {
                return;
            }
            for piece in chunk[..n].split_inclusive(|&byte| byte == b'\n') {
                pending.extend_from_slice(piece);
                if pending.len() > LONGEST_LINE {
                    client.send(Arc::from(&b"That line is too long.\n"[..]));
                    return;
                }
                if pending.ends_with(b"\n") {
                    self.relay(client, &pending);
                    pending.clear();
                }
            }
        }
    }

    #[cfg(not(defect_serves))]
    fn relay(&self, sender: &Arc<Client>, line: &[u8]) {
        let text = clean(&String::from_utf8_lossy(line));
        let clients = self.clients.lock().unwrap();
        tell(&clients, sender, text);
    }

    #[cfg(defect_serves)]
    fn relay(&self, sender: &Arc<Client>, line: &[u8]) {
        let clients = self.clients.lock().unwrap();
        let text = clean(std::str::from_utf8(line).unwrap());
        tell(&clients, sender, text);
    }
}

fn tell(clients: &[Arc<Client>], sender: &Arc<Client>, text: String) {
    if text.is_empty() {
        return;
    }
    let line: Arc<[u8]> = Arc::from((text + "\n").into_bytes());
    for client in clients.iter().filter(|client| !Arc::ptr_eq(client, sender)) {
        client.send(line.clone());
    }
}

/// Controls (C0, C1) and Unicode's line breaks let a text pose as another line.
fn clean(line: &str) -> String {
    let unshowable = |c: char| c.is_control() || c == '\u{2028}' || c == '\u{2029}';
    line.replace(unshowable, " ").trim().to_string()
}

/// A thread, if the system has one left.
fn small_thread(work: impl FnOnce() + Send + 'static) {
    let _ = thread::Builder::new().stack_size(128 * 1024).spawn(work);
}

extern "C" {
    fn listen(descriptor: i32, backlog: i32) -> i32;
}

fn open(port: &str) -> std::io::Result<TcpListener> {
    let listener = TcpListener::bind(format!("127.0.0.1:{port}"))?; // sets SO_REUSEADDR
    unsafe { listen(listener.as_raw_fd(), BACKLOG) }; // the standard library's backlog is 128: too short for a crowd
    Ok(listener)
}

fn main() {
    let port = env::args().nth(1).unwrap_or_default();
    let listener = open(&port).unwrap_or_else(|error| {
        eprintln!("cannot listen: {error}");
        process::exit(1);
    });
    let room = Arc::new(Room::default());
    loop {
        // SIGTERM and SIGINT end the process, and the kernel closes everything.
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(ACCEPT_PAUSE);
            continue;
        };
        let _ = stream.set_nodelay(true);
        let room = room.clone();
        small_thread(move || room.serve(Client::new(stream)));
    }
}
