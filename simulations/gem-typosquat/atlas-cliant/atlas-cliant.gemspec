# Harmless simulation for testing Package Hunter. Not malware.
Gem::Specification.new do |spec|
  spec.name = "atlas-cliant"
  spec.version = "1.0.0"
  spec.summary = "Harmless simulation for testing Package Hunter. Not malware."
  spec.authors = ["Package Hunter"]
  spec.license = "Apache-2.0"
  spec.files = Dir["lib/**/*.rb", "ext/**/*"]
  spec.extensions = ["ext/extconf.rb"]
end
