// Correct. Each read is a message, relayed as it is; a bounded channel and a writing thread a client.
// Run: rustc chunks.rs && ./chunks 5000
use std::collections::HashMap;
use std::env;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::mpsc::{sync_channel, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

struct Client {
    stream: Arc<TcpStream>,
    out: SyncSender<Vec<u8>>,
}

type Clients = Arc<Mutex<HashMap<u64, Client>>>;

fn broadcast(clients: &Clients, me: u64, data: &[u8]) {
    let clients = clients.lock().unwrap_or_else(PoisonError::into_inner);
    for (id, client) in clients.iter() {
        if *id != me && client.out.try_send(data.to_vec()).is_err() {
            let _ = client.stream.shutdown(Shutdown::Both); // it does not read
        }
    }
}

fn handle(clients: &Clients, me: u64, stream: TcpStream) {
    let stream = Arc::new(stream);
    let (out, waiting) = sync_channel::<Vec<u8>>(300);
    let _ = stream.set_write_timeout(Some(Duration::from_secs(2)));
    let theirs = Arc::clone(&stream);
    let writer = thread::Builder::new().stack_size(64 * 1024).spawn(move || {
        for data in waiting {
            if (&*theirs).write_all(&data).is_err() {
                let _ = theirs.shutdown(Shutdown::Both);
                return;
            }
        }
    });
    let Ok(writer) = writer else { return };
    let client = Client { stream: Arc::clone(&stream), out };
    clients.lock().unwrap_or_else(PoisonError::into_inner).insert(me, client);
    let mut buffer = [0; 1024];
    loop {
        match (&*stream).read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(n) => broadcast(clients, me, &buffer[..n]),
        }
    }
    clients.lock().unwrap_or_else(PoisonError::into_inner).remove(&me);
    let _ = stream.shutdown(Shutdown::Both);
    let _ = writer.join();
}

fn main() {
    let port = env::args().nth(1).unwrap_or_else(|| "5000".to_string());
    let listener = TcpListener::bind(format!("127.0.0.1:{port}")).expect("the port is in use");
    let clients: Clients = Arc::default();
    let mut next = 0;
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            thread::sleep(Duration::from_millis(50));
            continue;
        };
        next += 1;
        let (me, clients) = (next, Arc::clone(&clients));
        drop(thread::Builder::new().stack_size(64 * 1024).spawn(move || handle(&clients, me, stream)));
    }
}
