// Package doctor checks a client's set-up before it calls a server: its private key, its public
// key set, an assertion of its, and what a server says about it. The rules are authz's: the doctor
// puts one client, made of what it was given, into an authorization server in memory and has it
// examine an assertion; the ids of its findings are therefore the server's. What it knows itself
// is what a server never sees: key files.
//
// It imports authz, internal/control, internal/jose and what these servers are made with. Reading
// flags and printing are the command line's.
package doctor
