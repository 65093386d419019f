// Package cli is the command line: the subcommands, and the configuration of a server out of
// flags, environment, a file and defaults by one table. It wires and prints; what a server is
// and does it leaves to the packages below.
//
// The commands token, get and export are clients like any other. They speak to a server over
// HTTP only, find everything by discovery and sign with a key from a file, so that what they do
// is what the program of the person at the keyboard has to do.
package cli
