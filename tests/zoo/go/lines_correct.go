//go:build !defect_delivers

package main

import "bufio"

// serveLines hears the client's lines until it leaves. The scanner keeps what it has read beyond a line for the next.
func serveLines(r *room, c *client) {
	scanner := bufio.NewScanner(c.conn)
	scanner.Buffer(nil, longestLine)
	scanner.Split(wholeLines)
	for scanner.Scan() {
		if !r.hear(c, clean(scanner.Bytes())) {
			return
		}
	}
	if scanner.Err() == bufio.ErrTooLong {
		c.send("That line is too long.")
	}
}

// wholeLines is bufio.ScanLines, but for a last line without a newline: it was cut, and is nobody's message.
func wholeLines(data []byte, atEOF bool) (int, []byte, error) {
	if atEOF && (len(data) == 0 || data[len(data)-1] != '\n') {
		if advance, line, err := bufio.ScanLines(data, false); advance > 0 {
			return advance, line, err
		}
		return len(data), nil, nil
	}
	return bufio.ScanLines(data, false)
}
