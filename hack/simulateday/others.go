package main

// others are the platforms beside X.
func others() []scene { return nil }
