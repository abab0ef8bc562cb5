// Lab 5: group chat, each read is a message. Run: go run walks_and_cuts.go 5000
// Defect (survives): who cannot be written to is cut out of the slice that is being walked: an index is out of range then.
package main

import (
	"fmt"
	"net"
	"os"
	"sync"
	"time"
)

var (
	clients []net.Conn
	mutex   sync.Mutex
)

func broadcast(text []byte, from net.Conn) {
	mutex.Lock()
	defer mutex.Unlock()
	for i := range clients {
		conn := clients[i]
		if conn == from {
			continue
		}
		conn.SetWriteDeadline(time.Now().Add(200 * time.Millisecond))
		if _, err := conn.Write(text); err != nil {
			conn.Close()
			clients = append(clients[:i], clients[i+1:]...)
		}
	}
}

func handle(conn net.Conn) {
	mutex.Lock()
	clients = append(clients, conn)
	mutex.Unlock()
	buffer := make([]byte, 1024)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			break
		}
		broadcast(buffer[:n], conn)
	}
	conn.Close() // the next broadcast takes it off the list
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	for {
		conn, err := listener.Accept()
		if err != nil {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		go handle(conn)
	}
}
