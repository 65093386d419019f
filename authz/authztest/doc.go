// Package authztest helps to test what uses or implements authz: RunStore is
// the suite that every authz.Store passes, Store one in memory, and Key makes
// key sets and assertions with nothing but the standard library, so that
// client and server are independent of each other.
package authztest
