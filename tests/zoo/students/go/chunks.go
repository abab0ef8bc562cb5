// Correct. Each read is a message; a channel and a writing goroutine for each client. Run: go run chunks.go 5000
package main

import (
	"fmt"
	"net"
	"os"
	"strings"
	"sync"
	"time"
	"unicode"
)

type Client struct {
	conn net.Conn
	name string
	out  chan string
}

var (
	clients = make(map[*Client]bool)
	mutex   sync.Mutex
)

func broadcast(text string, but *Client) {
	mutex.Lock()
	defer mutex.Unlock()
	for c := range clients {
		if c == but {
			continue
		}
		select {
		case c.out <- text:
		default: // it does not read
			c.conn.Close()
		}
	}
}

func clean(data []byte) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(string(data), "?")))
}

func write(c *Client) {
	for text := range c.out {
		c.conn.SetWriteDeadline(time.Now().Add(2 * time.Second))
		if _, err := c.conn.Write([]byte(text)); err != nil {
			c.conn.Close()
		}
	}
	c.conn.Close()
}

func handle(conn net.Conn) {
	buffer := make([]byte, 2048)
	conn.Write([]byte("Username: "))
	n, err := conn.Read(buffer)
	name := clean(buffer[:n])
	if err != nil || name == "" || len(name) > 20 || strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
		conn.Close()
		return
	}
	c := &Client{conn, name, make(chan string, 200)}
	c.out <- "Welcome, " + name + "!"
	mutex.Lock()
	clients[c] = true
	mutex.Unlock()
	broadcast(name+" joined", c)
	go write(c)
	for {
		n, err := conn.Read(buffer)
		if n > 0 {
			if text := clean(buffer[:n]); text == "/quit" {
				break
			} else if text != "" {
				broadcast(name+": "+text, c)
			}
		}
		if err != nil {
			break
		}
	}
	mutex.Lock()
	delete(clients, c)
	close(c.out)
	mutex.Unlock()
	broadcast(name+" left", nil)
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
