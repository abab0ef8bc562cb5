//go:build defect_delivers

package main

import (
	"bufio"
	"bytes"
)

// Defect `delivers`: each line gets a buffered reader of its own. What it had read beyond the line, the next lines of
// the same segment, is thrown away with it.
func serveLines(r *room, c *client) {
	for {
		line, err := bufio.NewReaderSize(c.conn, longestLine).ReadSlice('\n')
		if err != nil || !r.hear(c, clean(bytes.TrimSpace(line))) {
			return
		}
	}
}
