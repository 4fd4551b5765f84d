#!/bin/sh
# Met une borne Parvis en service sur un Debian 12 neuf :
#   curl -fsSL {{.URL}}/borne | sudo sh -s CODE
# Peut être refait sans dommage. Dit ce qui s’est passé, et quoi faire sinon.
# shellcheck disable=SC1112 # les apostrophes du français
set -eu
umask 022

CONSOLE={{quote .URL}}
HUB={{quote .Hub}}

# Tout est dans une fonction : un script coupé en route ne fait rien.
parvis_main() {
	CODE=${1:-}

	etape 1 'Vérification de la machine'
	[ "$(id -u)" = 0 ] || echec 'Ce script doit être lancé par root.' "Ajoutez « sudo » : curl -fsSL $CONSOLE/borne | sudo sh -s CODE"
	[ -n "$CODE" ] || echec 'Il manque le code d’enrôlement.' "Faites-en un dans la console, $CONSOLE/mise-en-service, puis ajoutez-le à la fin de la commande."
	# shellcheck source=/dev/null
	systeme=$(. /etc/os-release && echo "${ID:-} ${VERSION_ID:-}") || systeme=inconnu
	[ "$systeme" = 'debian 12' ] || echec "Cette machine n’a pas Debian 12 (trouvé : $systeme)." 'Installez Debian 12, ou l’image Parvis, puis refaites la commande.'
	case $(dpkg --print-architecture) in
	amd64 | arm64) ;;
	*) echec "Parvis n’existe pas pour ce processeur ($(dpkg --print-architecture))." 'Prenez une machine à processeur amd64 ou arm64.' ;;
	esac

	etape 2 'Installation du logiciel'
	mkdir -p /etc/parvis /etc/apt/sources.list.d
	ecrire /etc/parvis/apt.asc <<'FIN'
{{.Key}}FIN
	ecrire /etc/apt/sources.list.d/parvis.sources <<FIN
# Le dépôt du hub, signé de sa clé.
Types: deb
URIs: $CONSOLE/apt
Suites: {{.Suite}}
Components: {{.Component}}
Signed-By: /etc/parvis/apt.asc
FIN
	printf '%s\n' "$HUB" | ecrire /etc/parvis/hub
	export DEBIAN_FRONTEND=noninteractive
	# Le dépôt du hub d’abord, et seul : d’une source qui ne répond pas, apt ne fait
	# pas un échec.
	apt-get -o DPkg::Lock::Timeout=300 -o Dir::Etc::sourcelist=/etc/apt/sources.list.d/parvis.sources -o Dir::Etc::sourceparts=/dev/null \
		-o APT::Get::List-Cleanup=false -o APT::Update::Error-Mode=any update </dev/null ||
		echec 'Le dépôt du hub n’a pas pu être lu.' "Vérifiez le réseau, la date ($(date '+%d/%m/%Y %H:%M')) et que $CONSOLE répond, puis refaites la commande."
	apt-get -o DPkg::Lock::Timeout=300 update </dev/null ||
		echec 'La liste des paquets de Debian n’a pas pu être lue.' 'Vérifiez le réseau et /etc/apt/sources.list, puis refaites la commande.'
	apt-cache show parvis-borne >/dev/null 2>&1 ||
		echec 'Le hub n’offre pas encore le logiciel des bornes.' 'Sur le hub : « parvis-hub software publish parvis-borne_….deb », puis refaites la commande.'
	apt-get -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold -y --no-install-recommends install parvis-borne </dev/null ||
		echec 'L’installation n’est pas allée au bout.' 'Les lignes ci-dessus disent pourquoi. Corrigez, puis refaites la commande : elle reprend où il faut.'

	etape 3 'Enrôlement'
	if ! parvis-agent enrol "$HUB" "$CODE" </dev/null; then
		nom=$(nom_de_la_borne)
		[ -n "$nom" ] || echec "Le hub $HUB n’a pas enrôlé la machine." "Corrigez ce que dit la ligne ci-dessus. Si le code est refusé, faites-en un autre : $CONSOLE/mise-en-service"
		echo "Cette machine est déjà la borne $nom : le code n’a pas servi."
	fi

	etape 4 'Premier rapport au hub'
	systemctl start graphical.target </dev/null || true
	reste=90
	until parvis-agent status >/dev/null 2>&1 </dev/null; do
		reste=$((reste - 1))
		if [ "$reste" = 0 ]; then
			parvis-agent status </dev/null || true
			echec 'Le hub n’a pas reçu de rapport en trois minutes.' 'Les lignes « À voir » ci-dessus disent quoi vérifier. La borne est enrôlée et continue d’essayer : rien n’est à refaire si le rapport arrive.'
		fi
		sleep 2
	done
	echo
	echo "La borne $(nom_de_la_borne) est enrôlée et le hub reçoit ses rapports : $CONSOLE/bornes"
	if systemctl is-active --quiet parvis.service; then
		echo 'L’écran d’accueil est affiché : elle est en service.'
	else
		echo 'L’écran d’accueil n’est pas encore affiché. Redémarrez la machine : « systemctl reboot ».'
	fi
}

etape() { printf '\n[%s/4] %s\n' "$1" "$2"; }

echec() {
	printf '\nÉCHEC : %s\n%s\n' "$1" "$2" >&2
	exit 1
}

# ecrire remplace un fichier d’un coup par ce qu’il lit.
ecrire() {
	cat >"$1.parvis-nouveau"
	chmod 644 "$1.parvis-nouveau"
	mv "$1.parvis-nouveau" "$1"
}

nom_de_la_borne() {
	parvis-agent status --json 2>/dev/null </dev/null | sed -n 's/.*"borne":"\([^"]*\)".*/\1/p' || true
}

parvis_main "$@"
