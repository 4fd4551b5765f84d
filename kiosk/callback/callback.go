// Package callback takes a resident's request to be called back: the number,
// the slots, the reference code, and the sealing that lets only the hub read
// it. Nothing of a request touches a disk or a log unsealed.
package callback
