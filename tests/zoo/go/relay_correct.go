//go:build !defect_ordered

package main

func relay(r *room, c *client, text string) {
	r.say(c, text)
}
