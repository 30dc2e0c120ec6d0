package store

// HoldLock is the lock's number, for a test that takes it from its holder.
const HoldLock = holdLock
