# An older program would not know the shape that a newer one has given the data.
# Only the upgrade helper may go back, to the version it came from: that one is
# known to read what is there, and the newer one has not served yet.
LEFT=/var/lib/parvis-paquets/$PACKAGE

case $1 in
install | upgrade)
	if [ -n "${2-}" ] && dpkg --compare-versions "$2" gt "$VERSION"; then
		if [ "${PARVIS_RETOUR-}" = 1 ] && [ "$(cat "$LEFT" 2>/dev/null)" = "$VERSION" ]; then
			exit 0
		fi
		cat >&2 <<-END
			$PACKAGE : la version $2 ne peut pas être remplacée par la version $VERSION, plus ancienne.
			Elle a pu changer la forme des données, que la version $VERSION ne saurait plus lire.
			Rien n’a été changé. Voir « Revenir en arrière » dans /usr/share/doc/$PACKAGE/paquets.md.
		END
		exit 1
	fi
	if [ -n "${2-}" ] && [ "$2" != "$VERSION" ]; then
		mkdir -p "${LEFT%/*}"
		echo "$2" >"$LEFT"
	fi
	;;
esac
