// Package record keeps usage and the request log off the path of requests: doors hand
// over an [Event] in tens of nanoseconds, and a [Recorder] writes batches behind them.
//
// What a batch holds is of two sorts. Details, one row per request, may be dropped
// when more comes than can be written; a drop is counted, and the request log shows a
// gap. There is a budget for rows, small for requests that went well and larger for all
// others: ten thousand rows a second would be a hundred gigabytes a day, would leave a
// request log of a few hours, and would cost more than the requests themselves. Counts are
// never dropped: what cannot be kept as a row is added up first, and what cannot be
// written now is added to the next try.
//
// Of a few callers everything is written ten times a second, last uses and day counts
// every second. Counts of many callers are added up for ten seconds before they are
// written; a killed process loses what was not.
package record
