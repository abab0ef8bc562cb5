// Correct. Lines, a bounded channel for each client, one goroutine that owns the room. Run: go run room.go 5000
package main

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"time"
	"unicode"
)

type client struct {
	conn net.Conn
	name string
	out  chan string
}

type message struct {
	from *client
	text string
}

var (
	entering = make(chan *client)
	leaving  = make(chan *client)
	messages = make(chan message)
	good     = regexp.MustCompile(`^[A-Za-z0-9]{1,16}$`)
)

func room() {
	clients := map[*client]bool{}
	tell := func(text string, but *client) {
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
	for {
		select {
		case c := <-entering:
			clients[c] = true
			tell("-> "+c.name+" arrived", c)
		case c := <-leaving:
			delete(clients, c)
			close(c.out)
			tell("<- "+c.name+" departed", c)
		case m := <-messages:
			tell(m.from.name+"| "+m.text, m.from)
		}
	}
}

func clean(text string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(text, "?")))
}

func handle(conn net.Conn) {
	defer conn.Close()
	input := bufio.NewScanner(conn)
	fmt.Fprintln(conn, "What is your name?")
	name := ""
	for input.Scan() {
		if name = clean(input.Text()); good.MatchString(name) {
			break
		}
		fmt.Fprintln(conn, "Letters and digits, please. What is your name?")
		name = ""
	}
	if name == "" {
		return
	}
	me := &client{conn, name, make(chan string, 256)}
	done := make(chan bool)
	go func() {
		for text := range me.out {
			conn.SetWriteDeadline(time.Now().Add(2 * time.Second))
			if _, err := fmt.Fprintln(conn, text); err != nil {
				conn.Close()
			}
		}
		close(done)
	}()
	me.out <- "Hello, " + name + "!"
	entering <- me
	for input.Scan() {
		text := clean(input.Text())
		if text == "/bye" {
			break
		}
		if text != "" {
			messages <- message{me, text}
		}
	}
	leaving <- me
	<-done
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	go room()
	for {
		conn, err := listener.Accept()
		if err != nil {
			time.Sleep(50 * time.Millisecond)
			continue
		}
		go handle(conn)
	}
}
