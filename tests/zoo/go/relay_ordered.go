//go:build defect_ordered

package main

// Defect `ordered`: each message is relayed by a goroutine of its own, and they run in any order.
func relay(r *room, c *client, text string) {
	go r.say(c, text)
}
