package page

import (
	"strconv"
	"time"
)

// moment is a time as a page tells it.
type moment struct {
	// ISO is for machines, Full for the tooltip, Text for reading.
	ISO, Full, Text string
}

const (
	day   = 24 * time.Hour
	dated = "2 January 2006"
)

// momentOf tells t as seen from now: near times in words, far ones as a date. Times are
// in UTC and say so.
func momentOf(now, t time.Time) moment {
	t = t.UTC()
	return moment{t.Format(time.RFC3339), t.Format(dated + ", 15:04 UTC"), relative(now.UTC(), t)}
}

func relative(now, t time.Time) string {
	gap := now.Sub(t)
	switch {
	case now.IsZero(), gap >= 7*day, gap <= -14*day:
		return t.Format(dated)
	case gap >= 0:
		return ago(gap)
	case gap > -time.Minute:
		return "in a moment"
	}
	return "in " + span(nearest(-gap))
}

// nearest rounds a length of time to the unit that span tells it in: who has just chosen one
// day must not read "in 23 hours".
func nearest(d time.Duration) time.Duration {
	if minutes := d.Round(time.Minute); minutes < time.Hour {
		return minutes
	}
	if hours := d.Round(time.Hour); hours < day {
		return hours
	}
	return d.Round(day)
}

func ago(gap time.Duration) string {
	if gap < time.Minute {
		return "just now"
	}
	return span(gap) + " ago"
}

// wait tells how long to pause, rounded up: who waits that long has waited long enough.
func wait(d time.Duration) string {
	d = max(d, time.Second)
	if d < 2*time.Minute && d != time.Minute {
		return count(int((d+time.Second-1)/time.Second), "second")
	}
	return span(d + time.Minute - 1)
}

// span tells a length of time in its largest unit, rounded down. It is at least a minute.
func span(d time.Duration) string {
	switch {
	case d < time.Hour:
		return count(int(d/time.Minute), "minute")
	case d < day:
		return count(int(d/time.Hour), "hour")
	}
	return count(int(d/day), "day")
}

func count(n int, unit string) string {
	if n == 1 {
		return "1 " + unit
	}
	return strconv.Itoa(n) + " " + unit + "s"
}
