// Package jose is the client's side of JOSE: private keys in every form that people keep them in,
// their public halves as JWKs and key sets, and the signatures made with them. It reads and writes
// key files for all of the program; what a server checks of keys and assertions is authz's.
//
// It is made of the standard library alone and imports nothing of ours.
package jose
