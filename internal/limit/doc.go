// Package limit counts requests against plans. It does no I/O.
//
// Three rules hold together, and a request is charged to all of them or to none:
//
//   - the minute window: at most PerMinute requests in each minute of the clock;
//   - the burst: a GCRA that admits Burst requests at once and PerMinute a minute
//     after that, so that a window's end and the next one's start do not add up;
//   - the day: at most PerDay requests in each day of UTC.
//
// No single token bucket can say "Limit 300, Remaining 295" with a burst of 50; three
// rules can. With a burst the most in any 60 seconds is min(2·PerMinute, PerMinute +
// Burst), without one it is 2·PerMinute across a minute's boundary.
//
// A refused request is charged to nothing: it never lengthens the wait.
//
// Steps of the clock. Windows are those of the wall clock, because Reset is. A step
// forward is time that passed: one fresh window, one fresh burst. A step back moves
// the count along and gives nothing.
package limit
