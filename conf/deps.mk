# Debian packages: what the build, the tests and the demo need. One a line, sorted.
BUILD_DEPS := \
	binutils \
	gcc \
	libc6-dev \
	libdw-dev \
	libelf-dev \
	libinih-dev \
	libjemalloc-dev \
	libncurses-dev \
	make \
	pkg-config \
	systemtap-sdt-dev

CHECK_DEPS := \
	amsynth \
	ardour \
	bats \
	chromium \
	chuck \
	csound \
	default-jdk-headless \
	ecasound \
	faketime \
	ffmpeg \
	fluidsynth \
	g++ \
	gdb \
	git \
	gstreamer1.0-plugins-base \
	gstreamer1.0-tools \
	guitarix \
	heaptrack \
	hydrogen \
	jackd2 \
	libcap2-bin \
	libjemalloc2 \
	libunwind-dev \
	mandoc \
	mpc \
	mpd \
	mpv \
	nodejs \
	perl \
	pipewire \
	pipewire-bin \
	postgresql \
	procps \
	prometheus \
	prometheus-node-exporter \
	pulseaudio \
	pulseaudio-utils \
	puredata-core \
	python3 \
	redis-server \
	redis-tools \
	sqlite3 \
	strace \
	supercollider-server \
	timgm6mb-soundfont \
	tmux \
	util-linux \
	valgrind \
	vlc-bin \
	vlc-plugin-base \
	xz-utils \
	yoshimi \
	zsh \
	zynaddsubfx

DEMO_DEPS := \
	chuck \
	jackd2 \
	procps \
	util-linux

BENCH_DEPS := \
	g++ \
	libjemalloc2 \
	libmimalloc2.0 \
	libtcmalloc-minimal4 \
	python3 \
	sqlite3 \
	valgrind

LINT_DEPS := \
	clang-format \
	codespell \
	shellcheck

# Installed by check-model itself.
MODEL_DEPS := \
	spin

# Installed by the fuzz targets themselves: large, and nothing else needs them.
FUZZ_DEPS := \
	clang \
	libclang-rt-14-dev

.PHONY: deps
deps: ## install the Debian packages that build, check, demo and lint need (root)
	./conf/deps.sh $(sort $(BUILD_DEPS) $(CHECK_DEPS) $(DEMO_DEPS) $(LINT_DEPS))

.PHONY: deps-demo
deps-demo: ## install what make demo needs, and no more (root)
	./conf/deps.sh $(sort $(BUILD_DEPS) $(DEMO_DEPS))
