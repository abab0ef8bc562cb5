//! What the Rust snippets of the pages take for granted.
#![allow(dead_code, unused)]
pub use std::collections::{hash_map::Entry, HashMap};
pub use std::io::{self, BufRead, BufReader, Read, Write};
pub use std::net::{Shutdown, TcpListener, TcpStream};
pub use std::sync::mpsc::{self, Receiver, SyncSender};
pub use std::sync::{Arc, Mutex};
pub use std::thread;
pub use std::time::Duration;

pub const MAX_LINE: u64 = 65536;
pub struct Client {
    pub name: String,
    pub stream: TcpStream,
    pub outbox: SyncSender<Vec<u8>>,
}
pub struct Session {
    pub kept: Vec<(u64, Vec<u8>)>,
    pub outbox: Option<SyncSender<Vec<u8>>>,
}
pub type Clients = Arc<Mutex<HashMap<u64, Client>>>;

pub fn serve(_: TcpStream) {}
pub fn broadcast(_: &Clients, _: &str) {}
pub fn leave(_: &Clients, _: u64) {}
pub fn join(_: &Clients, _: u64, _: &str) -> io::Result<()> { Ok(()) }
pub fn relay(_: &Clients, _: u64, _: &mut BufReader<TcpStream>) -> io::Result<()> { Ok(()) }
pub fn handle(_: &Clients, _: u64, _: &str) {}
pub fn chat(_: &Clients, _: u64, _: &TcpStream) -> io::Result<()> { Ok(()) }
pub fn read_loop(_: &Clients, _: u64, _: &TcpStream) -> io::Result<()> { Ok(()) }
pub fn write_loop(_: TcpStream, _: Receiver<Vec<u8>>) {}
pub fn run_command(_: &str) -> Result<String, io::Error> { Ok(String::new()) }

/// The crate of this name, as far as it is used.
pub mod ctrlc {
    #[derive(Debug)]
    pub struct Error;
    pub fn set_handler<F: FnMut() + Send + 'static>(_: F) -> Result<(), Error> { Ok(()) }
}
