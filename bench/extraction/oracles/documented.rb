# Documented methods as Ripper sees them: file paths on stdin, one JSON object a line on stdout.
# The documentation is the comment lines right above; a Sorbet signature may stand between.
require "json"
require "ripper"

# Where methods begin: line, name, last line of each outermost documented one.
class Methods < Ripper::SexpBuilder
  attr_reader :found

  def initialize(*)
    super
    @found = []
    @starts = []
  end

  def on_kw(word)
    @starts.push(lineno) if word == "def"
    super
  end

  def on_def(name, *rest)
    found.push([@starts.pop, name[1]])
    super
  end

  def on_defs(target, dot, name, *rest)
    found.push([@starts.pop, name[1]])
    super
  end
end

TOOLS = /\A#\s*(rubocop:|:(nodoc|doc|stopdoc|startdoc|section|category):|frozen_string_literal:|encoding:|coding:|typed:|-\*-)/

STDIN.each_line(chomp: true) do |file|
  text = File.read(file, encoding: "UTF-8")
  next unless text.valid_encoding?

  comments = {}
  block = nil
  Ripper.lex(text).each do |(line, column), type, token|
    case type
    when :on_comment
      comments[line] = token.chomp if text.lines[line - 1][0...column].strip.empty?
    when :on_embdoc_beg then block = [line]
    when :on_embdoc then block.push(token)
    when :on_embdoc_end then comments[line] = block.drop(1).join
    end
  end
  methods = Methods.new(text)
  methods.parse
  next if methods.error?

  lines = text.lines
  methods.found.sort.each do |start, name|
    at = start - 1
    at -= 1 if lines[at - 1]&.match?(/\A\s*sig[ ({]/)
    above = []
    while comments[at]
      above.unshift(comments[at])
      at -= 1
    end
    hidden = false
    doc = above.reject do |line|
      hidden = true if line.match?(/\A#--\s*\z/)
      now = hidden || line.match?(TOOLS) || line.start_with?("#!")
      hidden = false if line.match?(/\A#\+\+\s*\z/)
      now
    end
    next if doc.join.delete("# \n").empty?

    puts JSON.generate(file: file, name: name, doc: doc.join("\n"))
  end
end
