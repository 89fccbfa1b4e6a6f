# Set-up shared by packaging/heddle, packaging/editor, packaging/deb and packaging/test (sourced, bash): installs what is missing on
# Debian and Ubuntu, builds, and says all of it on stderr, so that stdout belongs to the program that is started.
#
#   setup GROUP TARGET     GROUP: run, test or package (packages.debian); TARGET: what to build (heddle, heddle-editor, all)
#
# Environment:
#   HEDDLE_BUILD_DIR   build folder (default: build/ in the repository)
#   HEDDLE_MESA        auto (default): Mesa's Vulkan drivers from Debian's backports where the release's own are older
#                      than 25; stable: the release's own; keep: leave those drivers alone
#   HEDDLE_MORE_PACKAGES   further groups of packages.debian, done without where they can not be had: "ci" is what .ci/run sets
# A call that finds nothing to do costs some milliseconds: it looks for a file newer than the last build.

root=$(cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/.." && pwd -P)
build=${HEDDLE_BUILD_DIR:-$root/build}
[[ $build = /* ]] || build=$PWD/$build
mesa_choice=${HEDDLE_MESA:-auto}
mesa_wanted=25            # from this version on our shaders run 4 to 5 times as fast as on Debian 12's own
package_list=$root/packaging/packages.debian
log=/dev/null
scratch=

say() { printf 'heddle: %s\n' "$*" >&2; }

# Says why, shows the end of the log and stops with code 1.
stop() {
    say "$1"
    shift
    (( $# == 0 )) || printf '        %s\n' "$@" >&2
    if [[ -s $log ]]; then
        say "the end of $log:"
        tail -n "${log_lines:-25}" "$log" | sed 's/^/    /' >&2
    fi
    exit 1
}

setup() {
    local group=$1 target=$2
    case $mesa_choice in auto|stable|keep) ;; *)
        say "HEDDLE_MESA is auto, stable or keep, not \"$mesa_choice\""; exit 2 ;;
    esac
    is_fresh "$group" "$target" && return
    mkdir -p "$build" 2>/dev/null && [[ -w $build ]] || stop "cannot write to the build folder $build"
    exec 9>"$build/.setup.lock"
    if ! flock -n 9; then
        say "another set-up is at work in $build, waiting for it"
        flock 9
        is_fresh "$group" "$target" && { exec 9>&-; return; }
    fi
    log=$build/setup.log
    : >"$log"
    install_packages "$group"
    build_target "$target"
    system_state "$group" >"$build/.state-$group-$target"
    # The time of the stamp is when the build began, so that a file saved during the build counts as newer.
    mv "$build/.begin" "$build/.built-$group-$target"
    exec 9>&-
    log=/dev/null
}

# What the last set-up relied on outside the sources: the installed packages and the choice of driver.
system_state() {
    printf '%s %s %s %s ' "$1" "$mesa_choice" "$root" "${HEDDLE_MORE_PACKAGES:-}"
    stat -c '%i %s %Y' /var/lib/dpkg/status 2>/dev/null || echo none
}

is_fresh() {
    local stamp=$build/.built-$1-$2
    [[ -e $stamp && -e $build/.state-$1-$2 && $(system_state "$1") = "$(<"$build/.state-$1-$2")" ]] || return 1
    [[ $2 = all || -x $build/bin/$2 ]] || return 1
    local sources=()
    local path
    for path in CMakeLists.txt app gpu nodes shaders resources packaging tests; do
        [[ ! -e $root/$path || ( $path = tests && $2 != all ) ]] || sources+=("$root/$path")
    done
    [[ -z $(find "${sources[@]}" -newer "$stamp" -print -quit 2>&1) ]]
}

# ---- packages -------------------------------------------------------------------------------------------------------

# The lines of these groups: "name | other >= version".
wanted_packages() {
    awk -v want=" $* " '/^\[/ { group = substr($1, 2, length($1) - 2); next }
                        /^[ \t]*(#|$)/ { next }
                        index(want, " " group " ")' "$package_list"
}

system_name() { (. /etc/os-release 2>/dev/null && printf '%s' "${PRETTY_NAME:-$ID}") || uname -s; }

installed_version() { dpkg-query -W -f '${db:Status-Status} ${Version}\n' "$1" 2>/dev/null | awk '$1 == "installed" { print $2; exit }'; }

candidate_version() {
    LC_ALL=C apt-cache "${apt_sources[@]}" policy "$1" 2>/dev/null |
        awk '$1 == "Candidate:" && $2 != "(none)" { print $2; exit }'
}

# Runs a command as root, its output in the log.
as_root() {
    if (( EUID == 0 )); then "$@" >>"$log" 2>&1 </dev/null
    else sudo -- "$@" >>"$log" 2>&1
    fi
}

can_be_root() { (( EUID == 0 )) || command -v sudo >/dev/null; }

apt_get() {
    as_root env DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 \
        apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-confold "$@"
}

apt_sources=()
updated=
apt_update() {
    [[ -z $updated ]] || return 0
    updated=yes
    say "reading the package lists"
    apt_get update || say "apt-get update reported errors; going on with the lists that are there (see $log)"
}

install_packages() {
    local lines=() extras=() line
    mapfile -t lines < <(wanted_packages run "$1")
    mapfile -t extras < <(wanted_packages extra ${HEDDLE_MORE_PACKAGES:-})
    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        say "$(system_name) has no apt-get, so nothing is installed. Needed are a C++20 compiler (GCC 11, Clang 14), CMake 3.22,"
        say "ninja and the development files of: Qt 6.4 (Core, Gui, Widgets, Test), Vulkan 1.2, glslang with SPIRV-Tools,"
        say "oneDNN, OpenImageIO, FFmpeg, Imath, nlohmann-json, xxHash, and a Vulkan driver (Mesa's lavapipe will do). VkFFT 1.3 if it can be had."
        return
    fi
    local missing=() name
    for line in "${lines[@]}"; do
        is_satisfied "$line" || missing+=("$line")
    done
    if (( ${#missing[@]} )); then
        can_be_root || stop "packages are missing and there is neither root nor sudo; install them and call again:" \
            "apt-get install --no-install-recommends $(for line in "${missing[@]}"; do first_name "$line"; done | tr '\n' ' ')"
        local names=()
        choose_names
        say "installing ${#names[@]} packages and what they need on $(system_name): ${names[*]}"
        if ! apt_get install -y --no-install-recommends "${names[@]}"; then
            # Package lists that are older than the mirror name files that are gone.
            [[ -z $updated ]] || stop "apt-get could not install: ${names[*]}"
            apt_update
            choose_names
            apt_get install -y --no-install-recommends "${names[@]}" || stop "apt-get could not install: ${names[*]}"
        fi
    fi
    install_mesa "${#missing[@]}"
    for line in "${extras[@]}"; do install_extra "$line" "${#missing[@]}"; done
}

first_name() { local name=${1%%>=*}; name=${name%%|*}; printf '%s\n' "${name// /}"; }

# True where one of the line's alternatives is installed, new enough.
is_satisfied() {
    local names=${1%%>=*} oldest= name version
    [[ $1 != *'>='* ]] || oldest=${1##*>=}
    for name in ${names//|/ }; do
        version=$(installed_version "$name")
        if [[ -n $version ]] && { [[ -z $oldest ]] || dpkg --compare-versions "$version" ge "${oldest// /}"; }; then
            return 0
        fi
    done
    return 1
}

# Fills `names` from `missing`; stops where the release has none of a line's alternatives, or only one that is too old.
choose_names() {
    local line name version chosen oldest problems=()
    names=()
    for line in "${missing[@]}"; do
        [[ -n $(candidate_version "$(first_name "$line")") ]] || { apt_update; break; }
    done
    for line in "${missing[@]}"; do
        chosen= oldest=
        [[ $line != *'>='* ]] || oldest=${line##*>=}
        for name in $(sed 's/>=.*//; s/|/ /g' <<<"$line"); do
            version=$(candidate_version "$name")
            [[ -n $version ]] || continue
            if [[ -z $oldest ]] || dpkg --compare-versions "$version" ge "${oldest// /}"; then chosen=$name; break; fi
            problems+=("$name: version${oldest} or newer is needed, here it is $version")
            chosen=-
            break
        done
        case $chosen in
            -) ;;
            '') problems+=("$line: not in the package sources of this system") ;;
            *) names+=("$chosen") ;;
        esac
    done
    (( ${#problems[@]} == 0 )) && return
    log=/dev/null
    stop "$(system_name) lacks what Heddle needs (Debian 12 and Ubuntu 24.04 or newer have it):" "${problems[@]}"
}

# ---- Mesa -----------------------------------------------------------------------------------------------------------

# Mesa's Vulkan drivers, among them lavapipe, the software device: from <release>-backports where the release's own are
# old, and the release's own where backports cannot be had. $1: how many packages were missing before.
install_mesa() {
    local before newest tried=$build/.mesa-tried news=
    before=$(installed_version mesa-vulkan-drivers)
    if [[ $mesa_choice = keep ]]; then
        :
    elif [[ -n $before ]] && { [[ $mesa_choice = stable ]] || is_new_enough "$before"; }; then
        :
    elif ! can_be_root; then
        [[ -n $before ]] || say "mesa-vulkan-drivers is not installed and there is neither root nor sudo; a Vulkan driver is needed to run graphs"
    elif [[ -n $before && -n $(find "$tried" -mmin -1440 2>/dev/null) ]]; then
        :   # backports were out of reach less than a day ago
    elif [[ -n $before ]] && (( EUID != 0 && $1 == 0 )) && ! sudo -n true 2>/dev/null; then
        :   # a faster driver alone is not worth a question for the password
    else
        newest=$(candidate_version mesa-vulkan-drivers)
        [[ -n $newest ]] || { apt_update; newest=$(candidate_version mesa-vulkan-drivers); }
        if [[ $mesa_choice = stable ]] || { [[ -n $newest ]] && is_new_enough "$newest"; } ||
            ! from_backports mesa-vulkan-drivers "Mesa's Vulkan drivers"; then
            [[ $mesa_choice = stable ]] || touch "$tried"
            news=yes
            if [[ -z $before || $newest != "$before" ]] && ! apt_get install -y --no-install-recommends mesa-vulkan-drivers; then
                [[ -n $before ]] || stop "apt-get could not install mesa-vulkan-drivers"
            fi
        fi
    fi
    [[ -z $news && $(installed_version mesa-vulkan-drivers) = "$before" ]] || say_mesa
}

is_new_enough() { dpkg --compare-versions "$1" ge "$mesa_wanted"; }

say_mesa() {
    local version origin
    version=$(installed_version mesa-vulkan-drivers 2>/dev/null) || true
    if [[ -z $version ]]; then
        say "mesa-vulkan-drivers is not installed"
        return
    fi
    origin="from $(system_name)"
    [[ $version != *~bpo* ]] || origin="from backports"
    is_new_enough "$version" || origin+="; version $mesa_wanted and later run Heddle's shaders 4 to 5 times as fast"
    say "Mesa Vulkan drivers $version, $origin"
}

# ---- backports ------------------------------------------------------------------------------------------------------

# A package that Heddle can do without, as new as it must be: from the release, else from its backports. $1: its line of
# packages.debian, $2: how many packages were missing before.
install_extra() {
    local name oldest newest tried
    is_satisfied "$1" && return
    name=$(first_name "$1")
    oldest=${1##*>=}
    tried=$build/.$name-tried
    can_be_root || return 0
    [[ -z $(find "$tried" -mmin -1440 2>/dev/null) ]] || return 0   # out of reach less than a day ago
    (( EUID == 0 || $2 > 0 )) || sudo -n true 2>/dev/null || return 0   # not worth a question for the password
    newest=$(candidate_version "$name")
    [[ -n $newest ]] || { apt_update; newest=$(candidate_version "$name"); }
    if [[ -n $newest ]] && dpkg --compare-versions "$newest" ge "${oldest// /}"; then
        install_quietly "$name"
    else
        from_backports "$name" "$name"
    fi
    if is_satisfied "$1"; then
        rm -f "$build/build.ninja"   # CMake looks for it again
        return
    fi
    touch "$tried"
    say "$name$([[ $1 != *'>='* ]] || echo " ${oldest// /}") cannot be had here, going on without it"
}

# Installs packages whose daemons must not start: tests that need one start their own (Debian policy 9.3.3.1).
install_quietly() {
    local policy=/usr/sbin/policy-rc.d made= result
    if [[ ! -e $policy ]]; then
        as_root sh -c "printf '#!/bin/sh\\nexit 101\\n' >$policy && chmod 755 $policy" && made=yes
    fi
    apt_get install -y --no-install-recommends "$@"
    result=$?
    [[ -z $made ]] || as_root rm -f "$policy"
    return $result
}

# Installs $1 (called $2) from backports, their mirror taken from the system's own package sources. These sources stay
# as they are: backports are named in a temporary folder that apt is pointed to. False, with the reason in the log,
# where that does not work.
from_backports() {
    local release mirror suite
    release=$(. /etc/os-release && [[ $ID = debian ]] && printf '%s' "${VERSION_CODENAME:-}") || return 1
    [[ -n $release ]] || return 1
    suite=$release-backports
    scratch=$(mktemp -d) && chmod 755 "$scratch" || return 1
    trap 'rm -rf "$scratch"' EXIT
    from_suite "$1" "$2"
    local result=$?
    rm -rf "$scratch"
    trap - EXIT
    apt_sources=()
    return $result
}

from_suite() {
    if ! LC_ALL=C apt-cache madison "$1" 2>/dev/null | grep -q " $suite/"; then
        mirror=$(debian_mirror)
        if [[ -z $mirror ]]; then
            apt_update
            mirror=$(debian_mirror)
        fi
        if [[ -z $mirror ]]; then
            echo "no package source of Debian $release found" >>"$log"
            return 1
        fi
        mkdir "$scratch/backports" "$scratch/all"
        printf 'Types: deb\nURIs: %s\nSuites: %s\nComponents: main\n' "$mirror" "$suite" >"$scratch/backports/heddle.sources"
        if [[ -e /usr/share/keyrings/debian-archive-keyring.gpg ]]; then
            echo 'Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg' >>"$scratch/backports/heddle.sources"
        fi
        find /etc/apt/sources.list.d -maxdepth 1 -name '*.*' -exec cp -L {} "$scratch/all/" \; 2>/dev/null
        cp "$scratch/backports/heddle.sources" "$scratch/all/heddle-backports.sources"
        chmod -R a+rX "$scratch"
        apt_get update -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$scratch/backports" \
            -o APT::Get::List-Cleanup=0 -o APT::Update::Error-Mode=any -o Acquire::Retries=1 -o Acquire::http::Timeout=20 ||
            return 1
        apt_sources=(-o "Dir::Etc::sourceparts=$scratch/all")
    fi
    say "installing $2 from $suite"
    # NAME/SUITE takes from backports the package and only those of its needs that the release cannot meet.
    apt_get "${apt_sources[@]}" install -y --no-install-recommends "$1/$suite" && return 0
    say "$2 could not be installed from $suite, the release's own must do"
    return 1
}

# The address that apt itself uses for this release's main packages, whichever way it is written down.
debian_mirror() {
    apt-get indextargets --format '$(REPO_URI) $(CODENAME) $(ORIGIN) $(COMPONENT)' 'Created-By: Packages' 2>/dev/null |
        awk -v release="$release" '$2 == release && $3 == "Debian" && $4 == "main" { print $1; exit }'
}

# ---- build ----------------------------------------------------------------------------------------------------------

# As many jobs as processors, but not more than memory holds (the largest files take over 1 GiB).
job_count() {
    local jobs memory
    jobs=$(nproc)
    memory=$(awk '/^MemAvailable:/ { print int($2 / 1500000) }' /proc/meminfo 2>/dev/null)
    [[ -z $memory ]] || (( memory >= jobs )) || jobs=$(( memory > 1 ? memory : 1 ))
    echo "${CMAKE_BUILD_PARALLEL_LEVEL:-$jobs}"
}

build_target() {
    local home begin=$SECONDS
    touch "$build/.begin"
    command -v cmake >/dev/null || stop "cmake is missing"
    # A build folder that came from elsewhere is of no use to CMake.
    home=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' "$build/CMakeCache.txt" 2>/dev/null)
    [[ -z $home || $home = "$root" ]] || rm -rf "$build/CMakeCache.txt" "$build/CMakeFiles" "$build/build.ninja"
    if [[ ! -e $build/build.ninja ]]; then
        rm -f "$build/CMakeCache.txt"
        cmake -S "$root" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Release >>"$log" 2>&1 </dev/null ||
            stop "CMake could not configure the build in $build"
        say "building $1 in $build (some minutes, this once)"
    fi
    run_build "$1" || stop "the build failed; again with all its output: cmake --build $build --target $1"
    (( SECONDS - begin < 5 )) || say "built $1 in $((SECONDS - begin)) s"
}

# Builds; a terminal sees ninja's count on one line that is overwritten.
run_build() {
    local run=(cmake --build "$build" --target "$1" -j "$(job_count)") line
    if [[ ! -t 2 ]]; then
        "${run[@]}" >>"$log" 2>&1 </dev/null
        return
    fi
    "${run[@]}" 2>&1 </dev/null | tee -a "$log" | while IFS= read -r line; do
        [[ $line != \[*/*\]* ]] || printf '\r\033[K%.100s' "$line" >&2
    done
    local result=${PIPESTATUS[0]}
    printf '\r\033[K' >&2
    return "$result"
}
