package apt

// ReadControl reads the control file of a .deb.
var ReadControl = readControl
