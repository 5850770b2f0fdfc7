# make pictures: the README's, from real programs. Installed by the target itself.
PICTURE_DEPS := \
	aha \
	chromium \
	chuck \
	fonts-dejavu-core \
	imagemagick \
	jackd2 \
	puredata-core \
	tmux

.PHONY: pictures
pictures: ## rtmem top and an audit's page as bench/pictures/*.png, from real programs
	@./conf/deps.sh $(sort $(BUILD_DEPS) $(PICTURE_DEPS))
	@$(MAKE) --no-print-directory -s all
	@B=$B ./bench/pictures/run.sh
