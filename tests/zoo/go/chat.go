// A correct chat with two goroutines a client: one reads its lines, one writes to it what the room says.
//
// It says nothing to newcomers: the first line is the name. Then `ana: text`, notices of who joined and left, /list and
// /quit. Whoever speaks only queues for the others; a client whose queue is full is dropped. The defects replace the
// function `serveLines` or `relay` (files relay_*.go, lines_*.go, chosen by build tags).
//
//	chat PORT
package main

import (
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"time"
)

const (
	longestLine = 64 * 1024       // bytes; a longer line ends the connection
	outboxLimit = 4 * 1024 * 1024 // bytes that may wait for one that does not read
	farewell    = time.Second     // for one that leaves, to close its side
	acceptPause = 100 * time.Millisecond
)

// C0 and C1 controls and Unicode's line breaks let a text pose as another line.
var unshowable = regexp.MustCompile("[\\x00-\\x1f\\x7f-\u009f\u2028\u2029]")
var validName = regexp.MustCompile(`^[\pL\pN_-]{1,20}$`)

func clean(line []byte) string {
	text := strings.ToValidUTF8(string(line), "\uFFFD")
	return strings.TrimSpace(unshowable.ReplaceAllString(text, " "))
}

// client is one connection, and what waits to be written to it.
type client struct {
	conn *net.TCPConn
	name string

	mutex   sync.Mutex
	changed *sync.Cond
	outbox  []string
	waiting int
	closing bool
	written chan struct{} // closed when the writing goroutine has ended
}

func newClient(conn *net.TCPConn) *client {
	c := &client{conn: conn, written: make(chan struct{})}
	c.changed = sync.NewCond(&c.mutex)
	go c.write()
	return c
}

// send queues a line; it never waits. A client that lets too much wait is reset.
func (c *client) send(line string) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.closing {
		return
	}
	if c.waiting += len(line) + 1; c.waiting > outboxLimit {
		c.closing = true
		c.reset()
	}
	c.outbox = append(c.outbox, line)
	c.changed.Signal()
}

func (c *client) reset() {
	c.conn.SetLinger(0)
	c.conn.Close()
}

func (c *client) write() {
	defer close(c.written)
	for {
		c.mutex.Lock()
		for len(c.outbox) == 0 && !c.closing {
			c.changed.Wait()
		}
		lines := c.outbox
		c.outbox = nil
		c.mutex.Unlock()
		if len(lines) == 0 {
			c.conn.CloseWrite()
			return
		}
		for _, line := range lines {
			if _, err := io.WriteString(c.conn, line+"\n"); err != nil {
				return // the reader sees it too, and cleans up
			}
			c.mutex.Lock()
			c.waiting -= len(line) + 1
			c.mutex.Unlock()
		}
	}
}

// part says what is queued, then FIN, then awaits the client's FIN: closing unread bytes would be a reset.
func (c *client) part() {
	c.mutex.Lock()
	c.closing = true
	c.changed.Signal()
	c.mutex.Unlock()
	deadline := time.Now().Add(farewell)
	c.conn.SetDeadline(deadline)
	<-c.written
	io.Copy(io.Discard, c.conn)
	c.conn.Close()
}

// room is who is here.
type room struct {
	mutex   sync.Mutex
	members []*client // in the order of joining
}

func (r *room) find(name string) *client {
	for _, member := range r.members {
		if strings.EqualFold(member.name, name) {
			return member
		}
	}
	return nil
}

func (r *room) join(c *client, name string) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if r.find(name) != nil {
		return false
	}
	r.tell("* "+name+" joined", nil)
	c.name = name
	r.members = append(r.members, c)
	c.send("Hello, " + name + ". Commands: /list, /quit")
	return true
}

func (r *room) leave(c *client) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	for i, member := range r.members {
		if member == c {
			r.members = append(r.members[:i:i], r.members[i+1:]...)
			r.tell("* "+c.name+" left", nil)
			return
		}
	}
}

// tell queues a line for all members but one. The caller holds the mutex.
func (r *room) tell(line string, besides *client) {
	for _, member := range r.members {
		if member != besides {
			member.send(line)
		}
	}
}

func (r *room) say(c *client, text string) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	r.tell(c.name+": "+text, c)
}

func (r *room) list(c *client) {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	names := make([]string, 0, len(r.members))
	for _, member := range r.members {
		names = append(names, member.name)
	}
	c.send("Here: " + strings.Join(names, ", "))
}

// hear takes one line; it returns false when the client wants to leave.
func (r *room) hear(c *client, line string) bool {
	switch {
	case line == "":
	case line == "/quit":
		c.send("Bye.")
		return false
	case c.name == "":
		r.logIn(c, line)
	case line == "/list":
		r.list(c)
	case line[0] == '/':
		c.send("Commands: /list, /quit")
	default:
		relay(r, c, line)
	}
	return true
}

func (r *room) logIn(c *client, name string) {
	if !validName.MatchString(name) {
		c.send("A name has letters and digits, at most 20. Your name?")
	} else if !r.join(c, name) {
		c.send("That name is taken. Your name?")
	}
}

// serve is one client's whole life.
func (r *room) serve(conn *net.TCPConn) {
	c := newClient(conn)
	serveLines(r, c)
	r.leave(c)
	c.part()
}

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:"+os.Args[1]) // Go sets SO_REUSEADDR and the system's backlog
	if err != nil {
		fmt.Fprintln(os.Stderr, "cannot listen:", err)
		os.Exit(1)
	}
	r := &room{}
	for { // SIGTERM and SIGINT end the process, and the kernel closes everything
		conn, err := listener.Accept()
		if err != nil { // out of descriptors, most likely: it passes
			time.Sleep(acceptPause)
			continue
		}
		go r.serve(conn.(*net.TCPConn))
	}
}
