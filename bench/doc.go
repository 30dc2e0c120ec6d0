// Package bench measures the program as a whole: how soon it answers, how much memory
// it takes, and how much processor time a request costs with ten thousand and with a
// million keys. It holds benchmarks only; `make bench` runs them.
package bench
