// Correct. std only: a thread a client, lines, write time-outs instead of queues. Run: rustc lines.rs && ./lines 5000
use std::collections::HashMap;
use std::env;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

type People = HashMap<u64, Arc<TcpStream>>;
type Room = Arc<Mutex<People>>;

fn people(room: &Room) -> MutexGuard<'_, People> {
    room.lock().unwrap_or_else(PoisonError::into_inner)
}

fn others(room: &Room, me: u64) -> Vec<Arc<TcpStream>> {
    people(room).iter().filter(|(id, _)| **id != me).map(|(_, stream)| Arc::clone(stream)).collect()
}

fn relay(room: &Room, me: u64, line: &str) {
    for stream in others(room, me) {
        if (&*stream).write_all(line.as_bytes()).is_err() {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn serve(room: &Room, me: u64, stream: &TcpStream) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream);
    loop {
        let mut bytes = Vec::new();
        if reader.by_ref().take(16 * 1024).read_until(b'\n', &mut bytes)? == 0 || bytes.last() != Some(&b'\n') {
            return Ok(());
        }
        let text: String = String::from_utf8_lossy(&bytes)
            .chars()
            .map(|c| if c.is_control() || c == '\u{2028}' || c == '\u{2029}' { ' ' } else { c })
            .collect();
        let text = text.trim();
        if text == "quit" {
            return Ok(());
        }
        if !text.is_empty() {
            relay(room, me, &format!("[{me}] {text}\n"));
        }
    }
}

fn main() {
    let port = env::args().nth(1).unwrap_or_else(|| "5000".to_string());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).expect("the port is in use");
    let room: Room = Arc::default();
    let mut next = 0;
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        next += 1;
        let (me, room) = (next, Arc::clone(&room));
        let spawned = thread::Builder::new().stack_size(128 * 1024).spawn(move || {
            let _ = stream.set_write_timeout(Some(Duration::from_millis(400)));
            let stream = Arc::new(stream);
            if writeln!(&*stream, "You are number {me}").is_ok() {
                people(&room).insert(me, Arc::clone(&stream));
                let _ = serve(&room, me, &stream);
                people(&room).remove(&me);
            }
            let _ = stream.shutdown(Shutdown::Both);
        });
        drop(spawned);
    }
}
