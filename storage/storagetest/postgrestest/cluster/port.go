package cluster

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports below the range from which systems pick a client's own port (32768 on Linux, 49152 elsewhere). A port from that
// range could be lost between Stop and Start to any outgoing connection, and a client that retries while the server is
// down could even be connected to itself.
const (
	lowestPort  = 20000
	highestPort = 29999
)

// freePort gives a loopback port that nobody listens on right now.
func freePort() (int, error) {
	for range 100 {
		port := lowestPort + rand.IntN(highestPort-lowestPort+1)
		listener, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err != nil {
			continue
		}
		return port, listener.Close()
	}
	return 0, errors.New("find free port: none of 100 tried between 20000 and 29999 is free")
}
