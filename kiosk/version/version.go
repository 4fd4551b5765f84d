// Package version says which version of Parvis a program is: one number for
// all programs, as they are built and installed together.
package version

// Version is set when a release is built:
// -ldflags "-X parvis/kiosk/version.Version=1.4.0".
var Version = "dev"
