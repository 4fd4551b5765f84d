if [ "$1" = purge ]; then
	rm -rf /var/lib/parvis-hub
	rm -f /etc/parvis/hub.env*
fi
