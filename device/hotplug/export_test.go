package hotplug

var Parse = parse
