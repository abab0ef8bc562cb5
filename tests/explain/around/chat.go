// Package snippet: what the Go snippets of the pages take for granted.
package snippet

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"syscall"
	"time"
	"unicode"
)

var (
	_ bufio.Scanner
	_ context.Context
	_ = errors.Is
	_ = fmt.Fprintf
	_ io.Reader
	_ log.Logger
	_ os.File
	_ = signal.Notify
	_ = debug.Stack
	_ strings.Builder
	_ syscall.Signal
	_ time.Time
	_ = unicode.IsControl
)

type client struct {
	conn net.Conn
	name string
	out  chan string
	done chan struct{}
}

type message struct {
	number int
	line   string
}

type session struct {
	mu      sync.Mutex
	current *client
	kept    []message
}

const maxLine = 65536

var (
	mu    sync.Mutex
	names = map[string]*client{}
)

func (c *client) tell(line string) {}
func acceptLoop(l net.Listener)    {}
