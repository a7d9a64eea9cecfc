Gem::Specification.new do |s|
  s.name = "own-corpus"
  s.version = "0.1.0"
  s.summary = "x"
  s.authors = ["A"]
  s.files = ["lib/own-corpus.rb"]
  s.add_dependency "ruby2-corpus"
end
