Gem::Specification.new do |s|
  s.name = "own_corpus"
  s.version = "0.1.0"
  s.summary = "x"
  s.authors = ["A"]
  s.files = ["lib/own_corpus.rb"]
  s.add_dependency "ruby2_corpus"
end
