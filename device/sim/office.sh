#!/bin/sh
# What stands between ippeveprinter and the paper. It is given one document, and
# tells the printer's state on standard error. The file "want" holds the reasons
# why the printer does not work as it should, "told" those that it has said.
# ippeveprinter itself knows about paper and toner, but only waits for paper.
cd "$(dirname "$0")" || exit 1

tell() {
	want=$(cat want)
	told=$(cat told)
	now=
	for reason in $want; do
		case $reason in
		media-* | toner-*) [ "$reason" = media-jam ] || continue ;;
		esac
		now="$now $reason"
		case " $told " in *" $reason "*) ;; *) echo "STATE: +$reason" >&2 ;; esac
	done
	for reason in $told; do
		case "$now " in *" $reason "*) ;; *) echo "STATE: -$reason" >&2 ;; esac
	done
	echo "$now" >told
}

# stopped says whether something is in the way; what is only low is not.
stopped() {
	for reason in $want; do
		case $reason in *-low) ;; *) return 0 ;; esac
	done
	return 1
}

canceled() {
	ipptool -q -d "job=$IPP_JOB_ID" "$IPP_JOB_PRINTER_URI" canceled.test
}

tell
[ "$IPP_JOB_NAME" = parvis-sim-order ] && exit 0
while canceled && exit 1; stopped; do
	sleep 0.1
	tell
done
number=1
while [ -e "printed/document-$number.pdf" ]; do
	number=$((number + 1))
done
cp "$1" "printed/document-$number.pdf.part" &&
	mv "printed/document-$number.pdf.part" "printed/document-$number.pdf"
