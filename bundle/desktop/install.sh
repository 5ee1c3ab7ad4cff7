#!/bin/sh
# Tells the desktop of this user about the bundle that this file lies in; `install.sh --remove` takes it back.
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
share=${XDG_DATA_HOME:-$HOME/.local/share}
entry=$share/applications/editview.desktop
icon=$share/icons/hicolor/scalable/apps/editview.svg
kind=$share/mime/packages/editview.xml

refresh() {  # each where the desktop has it; without them it notices at the next login
    command -v update-mime-database >/dev/null && update-mime-database "$share/mime" || true
    command -v update-desktop-database >/dev/null && update-desktop-database "$share/applications" || true
}

if [ "${1:-}" = --remove ]; then
    rm -f -- "$entry" "$icon" "$kind"
    refresh
    echo "The desktop no longer lists EditView."
    exit
fi
mkdir -p "${entry%/*}" "${icon%/*}" "${kind%/*}"
program=$(printf '%s' "$here/editview" | sed 's/[&|\\]/\\&/g')
sed "s|@PROGRAM@|$program|" "$here/desktop/editview.desktop" >"$entry"
cp -- "$here/desktop/editview.svg" "$icon"
cp -- "$here/desktop/editview.xml" "$kind"
refresh
echo "EditView is in the menu of your desktop, and plans (*.editview.toml) open with it."
